//! The crate as others get it: packed, and used from a package of theirs.

mod elsewhere;

use elsewhere::Copy;

#[test]
#[ignore = "packs the crate and builds another package on it; .ci/run runs it"]
fn a_package_that_depends_on_what_cargo_packs_reads_a_status_from_the_sandbox() {
    let packed = Copy::packed("package");
    let user = Copy::empty("package-user");
    let path = packed.path().display();
    user.write(
        "Cargo.toml",
        &format!(
            "[package]\nname = \"user\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n\
         mandat = {{ path = {:?}, features = [\"sandbox\"] }}\n\
         tokio = {{ version = \"1\", features = [\"macros\", \"rt-multi-thread\"] }}\n",
            path.to_string()
        ),
    );
    user.write("src/main.rs", include_str!("elsewhere/user.rs"));
    // The same versions as here, so that nothing new has to be fetched.
    user.write("Cargo.lock", &packed.read("Cargo.lock"));
    let said = user.cargo(&["run", "--quiet"]);
    assert_eq!(said.trim(), "Active (1): allowed");
}
