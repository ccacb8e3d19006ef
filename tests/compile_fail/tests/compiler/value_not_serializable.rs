//! A result that cannot be stored.

use cachex::cache_value;

struct Connection;

#[cache_value]
fn connect(host: &str) -> Connection {
    let _ = host;
    Connection
}

#[cache_value]
fn try_to_connect(host: &str) -> Result<Connection, String> {
    Err(host.to_owned())
}

fn main() {
    connect("here");
    let _ = try_to_connect("here");
}
