//! Recipes and Go modules are part of the program: build again when a file comes or goes.

fn main() {
    println!("cargo:rerun-if-changed=../../images");
    println!("cargo:rerun-if-changed=../../embedded");
}
