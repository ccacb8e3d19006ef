//! Arguments that cannot be part of a key, the receiver among them.

use cachex::cache_value;

struct Connection;

#[cache_value]
fn ask(connection: &Connection, question: &str, (_, others): (u8, Vec<Connection>)) -> usize {
    let _ = connection;
    question.len() + others.len()
}

impl Connection {
    #[cache_value]
    fn answer(&self, question: &str) -> usize {
        question.len()
    }
}

fn main() {
    ask(&Connection, "why", (0, Vec::new()));
    Connection.answer("why");
}
