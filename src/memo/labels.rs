//! What a handle of a cache says of the values that it records.

use super::Error;
use std::any::{Any, type_name};
use std::sync::Arc;
use std::time::Duration;

/// How long a value is served; `Err`: the name of the type of those that this is known of.
pub type Lifetime = dyn Fn(&dyn Any) -> Result<Option<Duration>, &'static str> + Send + Sync;

/// What is said of the values that are recorded by one handle.
#[derive(Clone, Default)]
pub struct Labels {
    /// Their tags.
    pub tags: Arc<[String]>,
    /// How long each of them is served.
    pub lifetime: Option<Arc<Lifetime>>,
}

impl Labels {
    /// The same with this function, by which values are served.
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

    /// How long a value is served, if that was said.
    pub fn lifetime<T: 'static>(&self, value: &T) -> Result<Option<Duration>, Error> {
        let Some(lifetime) = &self.lifetime else { return Ok(None) };
        lifetime(value).map_err(|known| Error::unknown_lifetime(type_name::<T>(), known))
    }
}
