//! The embedded site is read when this crate is compiled: a new site means a new program.

fn main() {
    println!("cargo:rerun-if-changed=../target/site");
}
