//! Programs that misuse the attributes of cachex: in `tests/cases/`, each beside what
//! the compiler says of it.
