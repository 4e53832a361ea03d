//! The crate, as `cargo package` packs it, works as a dependency of another package.

mod elsewhere;

use elsewhere::Copy;

#[test]
#[ignore = "packs the crate and builds another package on it; .ci/run runs it"]
fn packed_crate_works_as_a_dependency() {
    let packed = Copy::packed("package");
    let user = Copy::empty("package-user").with_built_dependencies();
    let path = packed.path().display();
    user.write(
        "Cargo.toml",
        &format!(
            "[package]\nname = \"user\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n\
         mandat = {{ path = {:?}, features = [\"sandbox\", \"schemars\"] }}\n{}\n{}",
            path.to_string(),
            elsewhere::dependencies(),
            elsewhere::profiles()
        ),
    );
    user.write("src/main.rs", include_str!("elsewhere/user.rs"));
    // Copy `Cargo.lock`, so that the other package uses the versions of this crate and cargo downloads nothing.
    user.write("Cargo.lock", &packed.read("Cargo.lock"));
    let said = user.cargo(&["run", "--quiet"]);
    assert_eq!(said.trim(), "Active (1): allowed");
    let request = "mandat::safedebit::types::PaymentRequest::builder()";
    user.write("src/main.rs", &format!("fn main() {{\n    let _ = {request}.amount(1250);\n}}\n"));
    let said = user.cargo_fails(&["build", "--quiet"]);
    // A bare number does not name its unit, and the compiler tells what to write.
    assert!(said.contains("for 12.50 euros, write `AmountCents::from_cents(1250)`"), "{said}");
}
