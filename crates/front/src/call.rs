//! The data that the kernel passes to a process at its start.

use crate::text::Text;

/// The process: its arguments, its environment, and whether it has rights that the user who started
/// it lacks.
pub struct Process {
    arguments: *const *const u8,
    count: usize,
    environment: *const *const u8,
    auxiliary: *const [usize; 2],
}

impl Process {
    /// Reads the data that the kernel has put on the stack.
    ///
    /// # Safety
    ///
    /// `stack` points to that data, which does not change.
    pub unsafe fn at(stack: *const usize) -> Process {
        // SAFETY: there is the count of the arguments; these and a null pointer; the variables and
        // a null pointer; and pairs of numbers, the last of type zero.
        unsafe {
            let count = *stack;
            let arguments = stack.add(1).cast::<*const u8>();
            let environment = arguments.add(count.wrapping_add(1));
            let mut end = environment;
            while !(*end).is_null() {
                end = end.add(1);
            }
            Process { arguments, count, environment, auxiliary: end.add(1).cast() }
        }
    }

    /// Returns the number of arguments, including the name of the program.
    pub fn count(&self) -> usize {
        self.count
    }

    pub fn argument(&self, at: usize) -> Option<Text<'static>> {
        if at >= self.count {
            return None;
        }
        // SAFETY: the index is below the count, and each argument is a string that nobody changes.
        unsafe { Some(Text::at(*self.arguments.add(at))) }
    }

    /// Returns the number of variables. Pointers to them, and a null pointer, lie before the pairs.
    pub fn count_of_variables(&self) -> usize {
        let len = self.auxiliary.addr().wrapping_sub(self.environment.addr());
        (len / size_of::<*const u8>()).saturating_sub(1)
    }

    /// Returns the variables, each `NAME=value` or any other text.
    pub fn environment(&self) -> impl Iterator<Item = Text<'static>> {
        let mut next = self.environment;
        core::iter::from_fn(move || {
            // SAFETY: a null pointer ends them, and each is a string that nobody changes.
            unsafe {
                if (*next).is_null() {
                    return None;
                }
                let text = Text::at(*next);
                next = next.add(1);
                Some(text)
            }
        })
    }

    /// Returns whether this variable exists with this value, as `NAME=value`.
    pub fn has_variable(&self, wanted: &[u8]) -> bool {
        let mut next = self.environment;
        // SAFETY: a null pointer ends them, and each is a string with a terminating zero byte,
        // which is not in `wanted`.
        unsafe {
            while !(*next).is_null() {
                let mut byte = *next;
                let mut is_it = true;
                for &of_wanted in wanted {
                    is_it = *byte == of_wanted;
                    if !is_it {
                        break;
                    }
                    byte = byte.add(1);
                }
                if is_it && *byte == 0 {
                    return true;
                }
                next = next.add(1);
            }
        }
        false
    }

    /// Returns whether the program's file grants rights that the user who started it lacks.
    pub fn is_privileged(&self) -> bool {
        let mut next = self.auxiliary;
        loop {
            // SAFETY: a pair of type zero ends them.
            let [kind, value] = unsafe { *next };
            if kind == 0 {
                return true;
            }
            if kind == libc::AT_SECURE as usize {
                return value != 0;
            }
            // SAFETY: the end was not reached yet.
            next = unsafe { next.add(1) };
        }
    }
}
