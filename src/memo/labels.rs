//! The labels that a handle of a cache gives to the values that it records.

use super::Error;
use std::any::{Any, type_name};
use std::sync::Arc;
use std::time::Duration;

/// The lifetime of a value; `Err`: the name of the type whose lifetime is known.
pub type Lifetime = dyn Fn(&dyn Any) -> Result<Option<Duration>, &'static str> + Send + Sync;

/// The labels of the values that one handle records.
#[derive(Clone, Default)]
pub struct Labels {
    /// The tags of the entries.
    pub tags: Arc<[String]>,
    /// The lifetime of each value.
    pub lifetime: Option<Arc<Lifetime>>,
}

impl Labels {
    /// Returns the labels with this function for lifetimes.
    pub fn expires_by<T: 'static, L: Into<Option<Duration>>>(
        &self,
        lifetime: impl Fn(&T) -> L + Send + Sync + 'static,
    ) -> Labels {
        let lifetime = Arc::new(move |value: &dyn Any| match value.downcast_ref::<T>() {
            Some(value) => Ok(lifetime(value).into()),
            None => Err(type_name::<T>()),
        });
        Labels { tags: self.tags.clone(), lifetime: Some(lifetime) }
    }

    /// Returns the lifetime of a value, if there is a function for it.
    pub fn lifetime<T: 'static>(&self, value: &T) -> Result<Option<Duration>, Error> {
        let Some(lifetime) = &self.lifetime else { return Ok(None) };
        lifetime(value).map_err(|known| Error::unknown_lifetime(type_name::<T>(), known))
    }
}
