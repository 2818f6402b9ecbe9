//! What the tests upon real parts share: running the binary, and looking at the host.
