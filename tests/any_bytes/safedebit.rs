//! Whatever SafeDebit answers is read or refused, and what was read is written without loss.

use crate::again::again;
use mandat::{Mandate, Source, safedebit::types};

pub fn run(json: &[u8]) {
    again::<types::Done>(json);
    again::<types::CancelOrderResponse>(json);
    again::<types::CancelSddBatchResponse>(json);
    again::<types::CreateBeneficiaryResponse>(json);
    again::<types::CreateConsumerResponse>(json);
    again::<types::EditSddResponse>(json);
    again::<types::GetAvailableFilesResponse>(json);
    again::<types::InitiateBeneficiaryResponse>(json);
    again::<types::InitiateTransferResponse>(json);
    again::<types::PaymentResponse>(json);
    again::<types::SearchConsumerResponse>(json);
    again::<types::SearchControlResponse>(json);
    again::<types::SearchMandateResponse>(json);
    again::<types::SearchPaymentResponse>(json);
    again::<types::SecureResponse>(json);
    again::<types::SecureConsumerResponse>(json);
    again::<types::UploadFileResponse>(json);
    again::<types::ValidatePaymentResponse>(json);
    again::<types::DownloadArchiveFileResponse>(json);
    again::<types::DownloadMandateFileResponse>(json);
    if let Some(created) = again::<types::CreateMandateResponse>(json) {
        let mandate = Mandate::from(&created);
        assert_eq!((mandate.source, mandate.reference.id()), (Source::Created, created.umr.as_str()));
    }
}
