use mandat::{Mandate, MandateStatus, sandbox::Sandbox};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::start().await?;
    let mandates = sandbox.mandates();
    let request = mandates.safedebit()?.create_mandate().body_map(|body| {
        body.safedebit_consumer_reference("XXXXXXXXXXXXX")
            .url_ok("https://example.com/ok")
            .url_ko("https://example.com/ko")
            .url_cancel("https://example.com/cancel")
    });
    let reference = Mandate::from(&request.send().await?).reference;
    sandbox.sign(&reference)?;
    let mandate = mandates.status(&reference).await?;
    assert_eq!(mandate.status, MandateStatus::Active);
    println!("{} ({}): allowed", mandate.status, mandate.raw);
    Ok(())
}
