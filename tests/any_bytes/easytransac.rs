//! Whatever Easytransac answers is read or refused, and what was read is written without loss.

use crate::again::again;
use mandat::{Mandate, Source, easytransac::types};

pub fn run(json: &[u8]) {
    again::<types::GenerateTokenResponse>(json);
    again::<types::InitOpenBankingResponse>(json);
    again::<types::GetMandateStatusResponse>(json);
    again::<types::GetTransactionStatusResponse>(json);
    again::<types::Notification>(json);
    if let Some(created) = again::<types::CreateMandateResponse>(json) {
        let mandate = Mandate::from(&created);
        assert_eq!((mandate.source, mandate.reference.id()), (Source::Created, created.data.mandate_id.as_str()));
    }
}
