//! Types that can be cached.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A value that can be cached: any type that `serde` can write and read, and that owns its
/// content. The trait is implemented for every such type.
#[diagnostic::on_unimplemented(
    message = "a value of type `{Self}` cannot be cached",
    label = "this is not `cachex::Value`",
    note = "derive `serde::Serialize` and `serde::Deserialize` for it; it has to own all that it consists of"
)]
pub trait Value: Serialize + DeserializeOwned + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + 'static> Value for T {}
