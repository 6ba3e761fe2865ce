fn main() {
    println!("cargo:rustc-env=SAYS=tick");
}
