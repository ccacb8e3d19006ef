//! Tests that the encoding of a key can be decoded in only one way.

use super::*;
use proptest::prelude::*;

#[derive(Clone, Debug, PartialEq)]
enum Field {
    One(u8, Vec<u8>),
    Many(u8, Vec<Vec<u8>>),
}

const LISTS: [u8; 7] = [
    Tag::Argv as u8,
    Tag::ExePath as u8,
    Tag::Env as u8,
    Tag::Terminal as u8,
    Tag::InputCommand as u8,
    Tag::Descriptor as u8,
    Tag::Selection as u8,
];

fn tag_of(number: u8) -> Tag {
    let tags = [
        Tag::Argv,
        Tag::ExePath,
        Tag::ExeSize,
        Tag::ExeModified,
        Tag::ExeContent,
        Tag::Cwd,
        Tag::Env,
        Tag::Stdin,
        Tag::Text,
        Tag::Scope,
        Tag::Terminal,
        Tag::Inputs,
        Tag::InputCommand,
        Tag::Descriptor,
        Tag::Selection,
    ];
    tags.into_iter().find(|&tag| tag as u8 == number).unwrap()
}

fn encode(fields: &[Field]) -> Vec<u8> {
    let mut out = super::fields();
    for field in fields {
        match field {
            Field::One(tag, value) => out.add(tag_of(*tag), value),
            Field::Many(tag, values) => {
                out.list(tag_of(*tag), values.iter());
            }
        }
    }
    out.0
}

/// Decodes fields: an encoding that can be decoded in only one way is injective.
fn decode(mut bytes: &[u8]) -> Vec<Field> {
    fn number(bytes: &mut &[u8]) -> usize {
        let (first, rest) = bytes.split_first_chunk::<8>().unwrap();
        *bytes = rest;
        u64::from_le_bytes(*first) as usize
    }
    fn sized(bytes: &mut &[u8]) -> Vec<u8> {
        let len = number(bytes);
        let (value, rest) = bytes.split_at(len);
        *bytes = rest;
        value.to_vec()
    }
    assert_eq!(bytes[0], cachex_core::key::VERSION);
    bytes = &bytes[1..];
    let mut fields = Vec::new();
    while let Some((&tag, rest)) = bytes.split_first() {
        bytes = rest;
        fields.push(if LISTS.contains(&tag) {
            let count = number(&mut bytes);
            Field::Many(tag, (0..count).map(|_| sized(&mut bytes)).collect())
        } else {
            Field::One(tag, sized(&mut bytes))
        });
    }
    fields
}

fn field() -> impl Strategy<Value = Field> {
    let bytes = proptest::collection::vec(any::<u8>(), 0..12);
    let others: Vec<u8> = (1..=15).filter(|tag| *tag != 9 && !LISTS.contains(tag)).collect();
    prop_oneof![
        (proptest::sample::select(others), bytes.clone())
            .prop_map(|(tag, value)| Field::One(tag, value)),
        (proptest::sample::select(LISTS.to_vec()), proptest::collection::vec(bytes, 0..5))
            .prop_map(|(tag, values)| Field::Many(tag, values)),
    ]
}

fn of_variables(pairs: &[(&str, &str)]) -> Vec<u8> {
    let mut fields = fields();
    fields.variables(pairs.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes().into())));
    fields.0
}

#[test]
fn variables_of_one_name_count_in_their_order_and_others_in_none() {
    assert_eq!(of_variables(&[("A", "1"), ("B", "2")]), of_variables(&[("B", "2"), ("A", "1")]));
    assert_ne!(of_variables(&[("A", "1"), ("A", "2")]), of_variables(&[("A", "2"), ("A", "1")]));
    let apart = [("A", "2"), ("B", ""), ("A", "1")];
    assert_eq!(of_variables(&apart), of_variables(&[("B", ""), ("A", "2"), ("A", "1")]));
}

proptest! {
    #[test]
    fn no_two_lists_of_fields_are_the_same_bytes(fields in proptest::collection::vec(field(), 0..8)) {
        prop_assert_eq!(decode(&encode(&fields)), fields);
    }
}
