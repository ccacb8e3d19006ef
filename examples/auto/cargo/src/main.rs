//! cachex run --auto -- cargo build --offline

mod greeting;

fn main() {
    println!("{}", greeting::TEXT);
}
