//! Builds the crate again when a file of the page is new: the ones that it knows it watches by itself.

fn main() {
    println!("cargo::rerun-if-changed=../../web");
}
