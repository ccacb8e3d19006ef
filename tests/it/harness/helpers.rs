//! This test program uses the library, so it is one whose helpers may be itself.

/// The variable of a program that does not call [`cachex::init`].
pub const WITHOUT_INIT: &str = "CACHEX_TEST_WITHOUT_INIT";

// `main` is the test harness's, so what should be its first line is run before it.
// SAFETY: the section is a list of functions that the C library calls when the process
// starts. This one needs nothing but arguments and variables, which the standard library
// has by then.
#[used]
#[cfg_attr(target_os = "linux", unsafe(link_section = ".init_array"))]
#[cfg_attr(target_os = "macos", unsafe(link_section = "__DATA,__mod_init_func,mod_init_funcs"))]
static FIRST: extern "C" fn() = {
    extern "C" fn first() {
        if std::env::var_os(WITHOUT_INIT).is_none() {
            cachex::init();
        }
    }
    first
};
