//! The parts of a type, as far as it was written out.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{Lifetime, Receiver, ReceiverKind, Type, TypeImplTrait, TypeReference};

/// The first occurrence of each construct in a type.
#[derive(Default)]
pub struct Parts {
    /// `&T`, or a lifetime that may end.
    pub borrowed: Option<TokenStream>,
    /// `&mut T`
    pub mutable: Option<TokenStream>,
    /// `impl Trait`
    pub implied: Option<TokenStream>,
}

impl Parts {
    /// Searches a type.
    pub fn of(ty: &Type) -> Parts {
        let mut parts = Parts::default();
        parts.visit_type(ty);
        parts
    }

    /// Searches the type that `self` has or stands for.
    pub fn of_receiver(receiver: &Receiver) -> Parts {
        match &receiver.kind {
            ReceiverKind::Typed(_, ty) => Parts::of(ty),
            ReceiverKind::Reference(_, _, Some(_)) => {
                Parts { mutable: Some(receiver.to_token_stream()), ..Parts::default() }
            }
            _ => Parts::default(),
        }
    }
}

impl<'ast> Visit<'ast> for Parts {
    fn visit_type_reference(&mut self, reference: &'ast TypeReference) {
        self.borrowed.get_or_insert_with(|| reference.to_token_stream());
        if reference.mutability.is_some() {
            self.mutable.get_or_insert_with(|| reference.to_token_stream());
        }
        visit::visit_type_reference(self, reference);
    }

    fn visit_type_impl_trait(&mut self, implied: &'ast TypeImplTrait) {
        self.implied.get_or_insert_with(|| implied.to_token_stream());
        visit::visit_type_impl_trait(self, implied);
    }

    fn visit_lifetime(&mut self, lifetime: &'ast Lifetime) {
        if lifetime.ident != "static" {
            self.borrowed.get_or_insert_with(|| lifetime.to_token_stream());
        }
    }
}

/// Returns whether this type is named `Result`, by whatever path.
pub fn is_result(ty: &Type) -> bool {
    match ty {
        Type::Path(path) => path.path.segments.last().is_some_and(|it| it.ident == "Result"),
        Type::Paren(paren) => is_result(&paren.elem),
        Type::Group(group) => is_result(&group.elem),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    #[test]
    fn what_is_deep_in_a_type_is_found() {
        let parts = Parts::of(&parse_quote!(Vec<(u8, Option<&mut impl Copy>)>));
        assert_eq!(parts.borrowed.unwrap().to_string(), "& mut impl Copy");
        assert_eq!(parts.mutable.unwrap().to_string(), "& mut impl Copy");
        assert_eq!(parts.implied.unwrap().to_string(), "impl Copy");
    }

    #[test]
    fn what_lives_as_long_as_the_program_is_not_borrowed() {
        assert!(Parts::of(&parse_quote!(Cow<'static, str>)).borrowed.is_none());
        assert!(Parts::of(&parse_quote!(Cow<'a, str>)).borrowed.is_some());
    }

    #[test]
    fn a_result_is_known_by_its_last_name() {
        let ty = |text| syn::parse_str::<Type>(text).unwrap();
        for result in ["Result<u8, E>", "io::Result<u8>", "::anyhow::Result<u8>", "(Result<u8>)"] {
            assert!(is_result(&ty(result)), "{result}");
        }
        for other in ["Option<Result<u8, E>>", "u8", "Results", "(Result<u8>, u8)"] {
            assert!(!is_result(&ty(other)), "{other}");
        }
    }
}
