//! What can be cached.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A value that can be cached: any that `serde` writes and reads, and that owns all that
/// it consists of. It is there for every such type, and nothing has to be written for it.
#[diagnostic::on_unimplemented(
    message = "a value of type `{Self}` cannot be cached",
    label = "this is not `cachex::Value`",
    note = "derive `serde::Serialize` and `serde::Deserialize` for it; it has to own all that it consists of"
)]
pub trait Value: Serialize + DeserializeOwned + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + 'static> Value for T {}
