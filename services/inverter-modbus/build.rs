//! Packs the profiles that come with the program: as they are they would be a twenty-fifth of it.

use std::error::Error;
use std::path::PathBuf;
use std::{env, fs};

use miniz_oxide::deflate::compress_to_vec;

/// The most that the format can do; it takes no time to speak of.
const BEST: u8 = 10;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=profiles");
    let packed = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is cargo's")?);
    for entry in fs::read_dir("profiles")? {
        let path = entry?.path();
        if let (Some(id), Some("toml")) = (path.file_stem(), path.extension().and_then(|e| e.to_str())) {
            fs::write(packed.join(id), compress_to_vec(&fs::read(&path)?, BEST))?;
        }
    }
    Ok(())
}
