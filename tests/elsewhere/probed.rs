//! A program whose patches are the reports of probes. The drill runs it.

use mandat::{
    MandateRef,
    sandbox::{Sandbox, ScriptedResponse},
    spec_versions,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::start().await?;
    let mandates = sandbox.mandates();
    for (reference, operation, body) in [
        (
            MandateRef::easytransac("realrealrealrealre12"),
            "get_mandate_status",
            include_str!("changed-easytransac.json"),
        ),
        (MandateRef::safedebit("RUM-1"), "search_mandate", include_str!("changed-safedebit.json")),
        (MandateRef::seqino("client_abc123", "mdt_abc123"), "get_mandate", include_str!("changed-seqino.json")),
    ] {
        let answer = || ScriptedResponse::new(200, serde_json::from_str::<serde_json::Value>(body).unwrap());
        sandbox.script(reference.provider(), operation, [answer(), answer()])?;
        let report = mandates.probe(&reference).await?;
        println!("{}: {}", reference.provider().as_str(), report.to_string().lines().next().unwrap_or_default());
        let status = mandates.status(&reference).await.map(|mandate| mandate.status.to_string());
        println!("{}: {}", reference.provider().as_str(), status.unwrap_or_else(|e| e.to_string()));
    }
    for version in spec_versions() {
        println!("{version}");
    }
    Ok(())
}
