//! Keeps recursion from overflowing the thread's stack: deep templates are limited by number, not by luck.

/// What must be free before a step is taken on the present stack. Debug builds have large frames.
const RED_ZONE: usize = 192 << 10;
const MORE: usize = 4 << 20;

/// Runs one step of a recursion, on a fresh piece of stack if this one nears its end.
pub(crate) fn grow<T>(step: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(RED_ZONE, MORE, step)
}
