//! Whatever Seqino answers is read or refused, and what was read is written without loss.

use crate::again::again;
use mandat::{Mandate, Source, seqino::types, wire::List};

pub fn run(json: &[u8]) {
    again::<types::ClientOrClients>(json);
    again::<types::Client>(json);
    again::<types::OnboardingLink>(json);
    again::<types::CreatePdpClientResponse>(json);
    again::<types::DirectoryEntry>(json);
    again::<types::CreateDraftResponse>(json);
    again::<types::ValidateDraftDataResponse>(json);
    again::<types::UpdateDraftResponse>(json);
    again::<types::InvoiceDraft>(json);
    again::<List<types::LifecycleEvent>>(json);
    again::<List<types::Mandate>>(json);
    again::<List<types::DirectoryEntry>>(json);
    again::<types::MandatesBatchResponse>(json);
    again::<types::SubmitExemptInvoiceResponse>(json);
    again::<types::PeriodicitySettings>(json);
    again::<types::SetPeriodicityResponse>(json);
    again::<types::UsageLimits>(json);
    again::<types::UsageMetrics>(json);
    again::<types::UsageSummary>(json);
    again::<types::Webhook>(json);
    again::<types::CreateWebhookResponse>(json);
    again::<types::WebhookEventTypesResponse>(json);
    again::<types::WebhookEventPayload>(json);
    again::<types::ValidationErrorResponse>(json);
    if let Some(created) = again::<types::Mandate>(json)
        && let Ok(mandate) = Mandate::try_from(&created)
    {
        assert_eq!((mandate.source, mandate.reference.client_id()), (Source::Created, Some(&*created.client_id)));
        assert!(!mandate.may_represent(None, mandate.observed_at).is_allowed());
    }
}
