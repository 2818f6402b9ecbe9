//! tests of the rendering follow
