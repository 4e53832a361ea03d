'use strict';
const LOCALES = { en: 'en-GB', fr: 'fr-FR' };
// The states of a mandate or a client.
const STATUSES = {
  en: {
    Pending: 'Being set up', AwaitingSignature: 'Awaiting signature', AwaitingVerification: 'Awaiting verification',
    AwaitingActivation: 'Awaiting activation', Active: 'Active', Suspended: 'Suspended', Revoked: 'Revoked',
    Expired: 'Expired', Invalid: 'Invalid', Gone: 'Gone', Unrecognized: 'Unknown word', Inactive: 'Inactive',
  },
  fr: {
    Pending: 'En préparation', AwaitingSignature: 'À signer', AwaitingVerification: 'En vérification',
    AwaitingActivation: 'En attente d’activation', Active: 'Actif', Suspended: 'Suspendu', Revoked: 'Révoqué',
    Expired: 'Expiré', Invalid: 'Invalide', Gone: 'Disparu', Unrecognized: 'Mot inconnu', Inactive: 'Inactif',
  },
};
// Creates an element. Texts become text nodes, so no text from outside is read as markup. An attribute that is a function
// listens to the event of its name.
function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  const given = (value) => value !== null && value !== undefined && value !== false;
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (typeof value === 'function') element.addEventListener(name, value);
    else if (given(value)) element.setAttribute(name, value);
  }
  element.append(...children.flat(Infinity).filter(given));
  return element;
}
