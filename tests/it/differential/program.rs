//! Random programs: lists of operations for `program.c`.

use super::Chance;
use std::path::Path;

/// What only looks, often.
const READS: &[char] = &[
    'r', 'r', 'r', 'N', 'm', 's', 's', 'l', 't', 'e', 'k', 'x', 'z', 'q', 'L', 'L', 'W', 'c', 'g',
    'D', 'G', 'X', 'X',
];
/// What takes two names or more.
const PAIRS: &[char] = &['f', 'f', 'n', 'h', 'y'];
/// What changes something.
const WRITES: &[char] = &['w', 'w', 'E', 'b', 'a', 'O', 'u', 'M', 'M', 'R', 'C', 'T', 'U'];

/// What a program that leaves files behind does besides.
const LEAVES: &[char] = &[
    'w', 'w', 'w', 'V', 'V', 'a', 'O', 'Y', 'u', 'M', 'M', 'R', 'C', 'P', 'T', 'U', 'K', 'j', 'A',
    'd', 'b', 'E',
];
/// The same with two names.
const LEAVES_PAIRS: &[char] = &['n', 'n', 'h', 'y', 'B', 'Z', 'Z'];

/// The names that there are.
pub const NAMES: &[&str] = &["a", "b", "c", "d"];

/// A path as a program may have it.
pub fn path(chance: &mut Chance, root: &Path) -> String {
    let mut path = String::new();
    if chance.percent(10) {
        path = format!("{}/", root.display());
    }
    for at in 0..=chance.below(3) {
        if at > 0 {
            path.push('/');
        }
        match chance.below(20) {
            0 => path.push_str(".."),
            1 => path.push('.'),
            2 => path.push('x'),
            _ => path += *chance.one_of(NAMES),
        }
    }
    if chance.percent(4) {
        path.push('/');
    }
    path
}

/// One operation.
fn operation(chance: &mut Chance, root: &Path) -> String {
    let text = |chance: &mut Chance| "xyz"[..=chance.below(3)].to_owned();
    match chance.below(100) {
        0..55 => format!("{}{}", chance.one_of(READS), path(chance, root)),
        55..68 => {
            let op = *chance.one_of(PAIRS);
            format!("{op}{},{}", path(chance, root), path(chance, root))
        }
        68..88 => {
            let op = *chance.one_of(WRITES);
            format!("{op}{},{}", path(chance, root), text(chance))
        }
        88..93 => format!("?{}", path(chance, root)),
        93..97 => format!("!{},{}", path(chance, root), chance.one_of(&["1", "2"])),
        _ => if chance.percent(50) { "F" } else { "Fx" }.to_owned(),
    }
}

/// The operations of a program that is found in the tree.
pub fn script(chance: &mut Chance, root: &Path) -> String {
    let ops: Vec<String> = (0..=chance.below(3))
        .map(|_| format!("{}{}", chance.one_of(&READS[..21]), path(chance, root)))
        .collect();
    ops.join(";")
}

/// A program that leaves files behind.
pub fn random_writer(chance: &mut Chance, root: &Path) -> String {
    let count = 1 + chance.below(8);
    let ops = (0..count).map(|_| match chance.below(100) {
        0..45 => {
            let text = "xyz"[..=chance.below(3)].to_owned();
            format!("{}{},{text}", chance.one_of(LEAVES), path(chance, root))
        }
        45..65 => {
            let (one, other) = (path(chance, root), path(chance, root));
            format!("{}{one},{other}", chance.one_of(LEAVES_PAIRS))
        }
        _ => operation(chance, root),
    });
    ops.collect::<Vec<_>>().join(";")
}

/// A program.
pub fn random(chance: &mut Chance, root: &Path) -> String {
    let mut ops = Vec::new();
    if chance.percent(75) {
        ops.push("%".to_owned());
    }
    let count = 1 + chance.below(14);
    ops.extend((0..count).map(|_| operation(chance, root)));
    ops.join(";")
}
