pub const TEXT: &str = "Hello";
