//! The client reads or refuses any response of Seqino. A response that the client reads is written as JSON without
//! loss.

use crate::round_trip::round_trip;
use mandat::{Mandate, Source, seqino::types, wire::List};

pub fn run(json: &[u8]) {
    round_trip::<types::ClientOrClients>(json);
    round_trip::<types::Client>(json);
    round_trip::<types::OnboardingLink>(json);
    round_trip::<types::CreatePdpClientResponse>(json);
    round_trip::<types::DirectoryEntry>(json);
    round_trip::<types::CreateDraftResponse>(json);
    round_trip::<types::ValidateDraftDataResponse>(json);
    round_trip::<types::UpdateDraftResponse>(json);
    round_trip::<types::InvoiceDraft>(json);
    round_trip::<List<types::LifecycleEvent>>(json);
    round_trip::<List<types::Mandate>>(json);
    round_trip::<List<types::DirectoryEntry>>(json);
    round_trip::<types::MandatesBatchResponse>(json);
    round_trip::<types::SubmitExemptInvoiceResponse>(json);
    round_trip::<types::PeriodicitySettings>(json);
    round_trip::<types::SetPeriodicityResponse>(json);
    round_trip::<types::UsageLimits>(json);
    round_trip::<types::UsageMetrics>(json);
    round_trip::<types::UsageSummary>(json);
    round_trip::<types::Webhook>(json);
    round_trip::<types::CreateWebhookResponse>(json);
    round_trip::<types::WebhookEventTypesResponse>(json);
    round_trip::<types::WebhookEventPayload>(json);
    round_trip::<types::ValidationErrorResponse>(json);
    if let Some(created) = round_trip::<types::Mandate>(json)
        && let Ok(mandate) = Mandate::try_from(&created)
    {
        assert_eq!((mandate.source, mandate.reference.client_id()), (Source::Created, Some(&*created.client_id)));
        assert!(!mandate.may_represent(None, mandate.observed_at).is_allowed());
    }
}
