//! Turns `proto/session.proto` into Rust types, without `protoc`.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let file = "proto/session.proto";
    println!("cargo:rerun-if-changed={file}");
    let descriptors = protox::compile([file], ["proto"])?;
    prost_build::Config::new().compile_fds(descriptors)?;
    Ok(())
}
