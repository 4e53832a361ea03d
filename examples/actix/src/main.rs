//! Shows the status of a mandate on a web server, with actix-web. `cargo run` in this folder starts the server.

use actix_web::{App, HttpResponse, HttpServer, web};
use mandat::{ErrorKind, MandateRef, Mandates, sandbox::Sandbox};

async fn status(mandates: web::Data<Mandates>, reference: web::Path<String>) -> HttpResponse {
    let Ok(reference) = reference.parse::<MandateRef>() else {
        return HttpResponse::BadRequest().body("this is not a reference");
    };
    match mandates.status(&reference).await {
        Ok(mandate) => HttpResponse::Ok().body(format!("{} ({})", mandate.status, mandate.raw)),
        Err(error) => match error.kind() {
            ErrorKind::NotFound => HttpResponse::NotFound().body(error.to_string()),
            _ if error.is_retryable() => HttpResponse::ServiceUnavailable().body(error.to_string()),
            _ => HttpResponse::BadGateway().body(error.to_string()),
        },
    }
}

fn routes(app: &mut web::ServiceConfig) {
    app.route("/mandates/{reference:.*}", web::get().to(status));
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let sandbox = Sandbox::start().await?; // in your program: Mandates::builder()...build()?
    // One facade for all workers, so that they share connections, tokens and limits.
    let mandates = web::Data::new(sandbox.mandates());
    println!("http://127.0.0.1:8080/mandates/safedebit:XXXXXXXXXXXXX");
    HttpServer::new(move || App::new().app_data(mandates.clone()).configure(routes)).bind("127.0.0.1:8080")?.run().await
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test;

    #[actix_web::test]
    async fn page_shows_the_status_of_a_mandate() {
        let sandbox = Sandbox::start().await.unwrap();
        let app = App::new().app_data(web::Data::new(sandbox.mandates())).configure(routes);
        let app = test::init_service(app).await;
        for (reference, status, shown) in [
            ("safedebit:XXXXXXXXXXXXX", 200, "Active (1)"),
            ("seqino:client_abc123/mdt_abc123", 200, "Active (active)"),
            ("safedebit:RUM-9", 404, "SafeDebit search_mandate"),
            ("nobody", 400, "this is not a reference"),
        ] {
            let request = test::TestRequest::get().uri(&format!("/mandates/{reference}")).to_request();
            let response = test::call_service(&app, request).await;
            assert_eq!(response.status(), status, "{reference}");
            let body = test::read_body(response).await;
            assert!(String::from_utf8_lossy(&body).contains(shown), "{reference}: {body:?}");
        }
    }
}
