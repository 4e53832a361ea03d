//! Submits a form with a file. It is handwritten, because the generator supports only JSON.

use super::{Client, generated::operations, types};
use crate::{
    transport::{Built, Vendor, perform},
    vocabulary::Error,
    wire::required,
};
use progenitor_client::Error as Unbuilt;
use reqwest::{
    Body,
    multipart::{Form, Part},
};
use std::fmt;

impl Client {
    /// Sends an invoice to Seqino as a file: Factur-X, UBL or CII. Seqino detects the format itself.
    ///
    /// ```no_run
    /// # async fn run(seqino: mandat::seqino::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let invoice = std::fs::read("facture.pdf")?;
    /// let taken = seqino
    ///     .submit_invoice_file()
    ///     .x_pdp_client_id("client_abc123")
    ///     .file("facture.pdf", invoice)
    ///     .send()
    ///     .await?;
    /// println!("{} {}", taken.invoice_id, taken.status);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// If the response is lost, ask Seqino before you retry. No documented operation finds the invoice: only the id in
    /// the response would find it.
    ///
    /// Evidence: partial,
    /// <https://pdp-api-v250704-iron.seqino.dev/openapi/invoicing/submit_invoice_file_invoicing_files_submit_post>
    pub fn submit_invoice_file(&self) -> SubmitInvoiceFile<'_> {
        SubmitInvoiceFile {
            client: self,
            x_pdp_client_id: Err("`x_pdp_client_id` is missing".into()),
            file: Err("`file` is missing".into()),
        }
    }
}

/// Builder for [`Client::submit_invoice_file`].
#[must_use]
pub struct SubmitInvoiceFile<'a> {
    client: &'a Client,
    x_pdp_client_id: Result<types::KnownClientId, String>,
    file: Result<Part, String>,
}

/// Hides all values: the name of the file may contain the name of a person.
impl fmt::Debug for SubmitInvoiceFile<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SubmitInvoiceFile")
    }
}

impl SubmitInvoiceFile<'_> {
    /// Required. Id of the client for which the request acts.
    pub fn x_pdp_client_id(mut self, value: impl TryInto<types::KnownClientId, Error: fmt::Display>) -> Self {
        self.x_pdp_client_id = required(value, "x_pdp_client_id");
        self
    }

    /// Required. The file's name and its content: bytes, or a [`Body`] that streams them. The file is sent at most
    /// once: there is no retry, even if no connection was made. A name that is empty or has an invisible character is
    /// refused.
    pub fn file(mut self, name: impl Into<String>, content: impl Into<Body>) -> Self {
        let name = required::<String>(name.into(), "file").and_then(|name| match name.is_empty() {
            true => Err("`file` is refused: its name is empty".into()),
            false => Ok(name),
        });
        self.file = name.map(|name| Part::stream(content).file_name(name));
        self
    }

    #[allow(clippy::result_large_err, reason = "the generator's error, as all requests have it")]
    pub(crate) fn request(self) -> Built {
        let transport = self.client.transport();
        let fields = transport.fields(&operations::SUBMIT_INVOICE_FILE).map_err(Unbuilt::InvalidRequest)?;
        let faults = [self.x_pdp_client_id.as_ref().err(), self.file.as_ref().err()];
        crate::wire::faults(&faults).map_err(Unbuilt::InvalidRequest)?;
        let file = self.file.map_err(Unbuilt::InvalidRequest)?;
        let request = fields
            .client
            .post(format!("{}/invoicing/files/submit", fields.baseurl))
            .header("X-PDP-Client-Id", self.x_pdp_client_id.map_err(Unbuilt::InvalidRequest)?.as_str())
            .multipart(Form::new().part("file", file));
        Ok(request.build()?)
    }

    /// Sends the file. The timeout of one attempt ([`Settings::attempt_timeout`](crate::Settings::attempt_timeout))
    /// includes the upload.
    ///
    /// # Errors
    /// An [`Error`]. Its kind names the failure, and its outcome says if the vendor may have the file.
    pub async fn send(self) -> Result<types::SubmitInvoiceFileResponse, Error> {
        perform(self.client, &operations::SUBMIT_INVOICE_FILE, self.request()).await
    }
}
