//! The macro behind the table of options.
//!
//! An entry of the table reads
//!
//! ```text
//! /// The help
//! field: Type = LIFE STATIC, "name" alias "other" short 'n',
//!     KIND(how) "VALUE" hint AnyPath, HEADING, not with [other_field], [Mark];
//! ```
//!
//! - LIFE is `configurable`, or `once` for what is said of one call alone, behind which there may be
//!   the line that stands for it in `config.toml`.
//! - STATIC is what the option is called in code, and, behind `CACHEX_`, its variable.
//! - KIND is how a value is read: `switch`, `text(parse)`, `number(parse)`, `choice(Type)`,
//!   `choices(Type)`, `bytes(Type)`, `names(parse)`, `items`, `paths` and `texts`, see [`Reader`].
//! - Marks are those of [`Mark`].
//!
//! [`Reader`]: super::configurable::Reader
//! [`Mark`]: super::configurable::Mark

/// Declares a struct of options: its fields as clap reads them, the fast reader of the same,
/// and a static for each, by which its value is picked from the levels below the flags.
macro_rules! options {
    (
        $(#[$doc:meta])*
        pub struct $Args:ident $(flatten $below:ident: $Below:ty)? {
            $(
                $(#[$meta:meta])+
                $field:ident: $type:ty = $life:ident $STATIC:ident $($line:literal)?,
                    $name:literal $(alias $alias:literal)? $(short $short:literal)?,
                    $kind:ident $(($($how:tt)*))? $($value:literal)? $(hint $hint:ident)?,
                    $heading:ident $(, not with [$($other:ident)+])? $(, [$($mark:ident)+])?;
                $(flatten $group:ident: $Group:ty;)?
            )+
        } $(and { $($rest:tt)* })?
    ) => {
        $(#[$doc])*
        #[derive(clap::Args, Clone, Debug, Default, PartialEq)]
        pub struct $Args {
            $(#[command(flatten)] pub $below: $Below,)?
            $(
                $(#[$meta])+
                #[arg(long = $name, $(visible_alias = $alias,)? $(short = $short,)?)]
                #[arg(value_parser = parser!($kind $($($how)*)?))]
                #[arg(help_heading = crate::args::headings::$heading)]
                $(#[arg(value_name = $value)])?
                $(#[arg(value_hint = ValueHint::$hint)])?
                $(#[arg(conflicts_with_all = [$(stringify!($other)),+])])?
                pub $field: $type,
                $(#[command(flatten)] pub $group: $Group,)?
            )+
            $($($rest)*)?
        }

        $(declare!($life $STATIC $($line)?, $type, reader!($kind $($($how)*)?), About {
            id: stringify!($field),
            name: $name,
            variable: concat!("CACHEX_", stringify!($STATIC)),
            excludes: &[$($(stringify!($other)),+)?],
            marks: &[$($(Mark::$mark),+)?],
        });)+

        impl $Args {
            /// The options, in the order of the help.
            pub const OPTIONS: &[Part] = &[
                $(Part::Group(<$Below>::OPTIONS),)?
                $(part!($life $STATIC), $(Part::Group(<$Group>::OPTIONS),)?)+
            ];

            /// The long name of an option of one letter.
            pub fn letter(letter: char) -> Option<&'static str> {
                match letter {
                    $($($short => Some($name),)?)+
                    _ => None$(.or_else(|| <$Below>::letter(letter)))?
                        $($(.or_else(|| <$Group>::letter(letter)))?)+,
                }
            }

            /// The switch of this name.
            pub fn switch(&mut self, name: &str) -> Option<&mut bool> {
                match name {
                    $($name $(| $alias)? => self.$field.as_switch(),)+
                    _ => None$(.or_else(|| self.$below.switch(name)))?
                        $($(.or_else(|| self.$group.switch(name)))?)+,
                }
            }

            /// Sets an option that has a value; none if clap is to say what is wrong with it.
            pub fn set(&mut self, name: &str, value: &OsStr) -> Option<()> {
                match name {
                    $($name $(| $alias)? => set!($kind self.$field, value $(, $($how)*)?),)+
                    _ => None$(.or_else(|| self.$below.set(name, value)))?
                        $($(.or_else(|| self.$group.set(name, value)))?)+,
                }
            }

            /// Returns whether options were given that exclude each other.
            pub fn contradicts_itself(&self) -> bool {
                $(self.$below.contradicts_itself() ||)?
                $(
                    $(self.$field.is_given() && ($(self.$other.is_given())||+) ||)?
                    $(self.$group.contradicts_itself() ||)?
                )+
                false
            }
        }
    };
}

/// Expands to the parser with which clap reads a value.
macro_rules! parser {
    (switch) => {
        clap::value_parser!(bool)
    };
    (bytes $T:ty) => {
        clap::value_parser!($T)
    };
    (choice $T:ty) => {
        clap::builder::EnumValueParser::<$T>::new()
    };
    (choices $T:ty) => {
        clap::builder::EnumValueParser::<$T>::new()
    };
    ($kind:ident $parse:path $(=> $all:path)?) => {
        cachex_base::text::values::text($parse)
    };
}

/// Expands to the `Reader` of a value in a variable or in `config.toml`.
macro_rules! reader {
    (switch) => { Reader::Switch(|on| on) };
    (bytes $T:ty) => { Reader::Bytes(|value| value.into()) };
    (choice $T:ty) => { Reader::Text(choice::<$T>) };
    (choices $T:ty) => { Reader::List(|items| items.map(choice::<$T>).collect()) };
    (text $parse:path) => { Reader::Text(|text| $parse(text).map_err(|why| why.to_string())) };
    (number $parse:path) => { Reader::Number(|text| $parse(text).map_err(|why| why.to_string())) };
    (names $parse:path) => { Reader::List(reader!(@each $parse)) };
    (paths $parse:path) => { Reader::Paths(reader!(@each $parse)) };
    (texts $parse:path) => { Reader::Texts(reader!(@each $parse)) };
    (texts $parse:path => $all:path) => { Reader::Texts($all) };
    (items $parse:path => $all:path) => { Reader::List($all) };
    (@each $parse:path) => {
        |items| items.map(|item| $parse(item).map_err(|why| why.to_string())).collect()
    };
}

/// Expands to the code with which the fast reader sets a value.
macro_rules! set {
    (switch $place:expr, $value:expr) => {
        None
    };
    (bytes $place:expr, $value:expr, $T:ty) => {
        once(&mut $place, Ok::<$T, ()>($value.into()))
    };
    (choice $place:expr, $value:expr, $T:ty) => {
        once(&mut $place, <$T as clap::ValueEnum>::from_str($value.to_str()?, false))
    };
    (choices $place:expr, $value:expr, $T:ty) => {
        several(&mut $place, <$T as clap::ValueEnum>::from_str($value.to_str()?, false))
    };
    (text $place:expr, $value:expr, $parse:path) => {
        once(&mut $place, $parse($value.to_str()?))
    };
    (number $place:expr, $value:expr, $parse:path) => {
        once(&mut $place, $parse($value.to_str()?))
    };
    (names $place:expr, $value:expr, $parse:path) => {
        once(&mut $place, $value.to_str()?.split(',').map($parse).collect::<Result<_, _>>())
    };
    ($kind:ident $place:expr, $value:expr, $parse:path $(=> $all:path)?) => {
        several(&mut $place, $parse($value.to_str()?))
    };
}

macro_rules! declare {
    (configurable $STATIC:ident, $type:ty, $read:expr, $about:expr) => {
        pub static $STATIC: Configurable<<$type as Field>::Value> = Configurable::new($about, $read);
    };
    (once $STATIC:ident $($line:literal)?, $type:ty, $read:expr, $about:expr) => {
        pub static $STATIC: Once = Once { about: $about, line: once_line!($($line)?) };
    };
}

macro_rules! once_line {
    () => {
        None
    };
    ($line:literal) => {
        Some($line)
    };
}

macro_rules! part {
    (configurable $STATIC:ident) => {
        Part::Configurable(&$STATIC)
    };
    (once $STATIC:ident) => {
        Part::Once(&$STATIC)
    };
}
