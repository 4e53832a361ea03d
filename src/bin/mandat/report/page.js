(() => {
  // The texts of the page. In a reason, `{0}` is its first value, `{s0}` a status, `{f0}` a fact, `{d0}` a day and `{t0}`
  // an instant. The part in brackets is left out where reasons are counted.
  const WORDS = {
    en: {
      title: 'Mandate report', other: 'Français', from: 'File', made: 'Report of', newest: 'Newest reading',
      paris: 'Times are those of Paris.', noData: 'None.', rows: (n) => `${n} mandates`, row: '1 mandate',
      total: 'Mandates', allowed: 'May be used', refused: 'Must not be used', undetermined: 'Undetermined',
      changed: 'Changed', notRead: 'Not read',
      states: 'States by vendor',
      statesNote: 'A mandate that was not read counts with its last known state.',
      changes: 'Changes since the last run', now: 'Now:', unchanged: 'Unchanged',
      acts: 'Who has to act',
      why: 'Mandates that may not be used, and why',
      whyNote: (n) => `Mandates with a reason against their use: ${n}. A mandate counts for each of its reasons.`,
      reason: 'Reason', causes: 'Failures by cause', cause: 'Cause', oldest: 'Oldest readings',
      never: (n) => `Never read: ${n}.`, all: 'All mandates', reference: 'Reference', vendor: 'Vendor', status: 'State',
      verdict: 'Verdict and reasons', verdictOnly: 'Verdict', step: 'Who acts', change: 'Change', since: 'Since', read: 'Read',
      age: 'Age', count: 'Number', search: 'Search', searchHint: 'Reference, state, reason …', any: 'All',
      sortBy: 'Sort by', order: 'Order of the file', ascending: 'ascending', descending: 'descending',
      perPage: 'Rows per page', previous: 'Previous', next: 'Next', clear: 'Clear all filters', remove: 'Remove filter',
      range: (from, to, n) => `${from}–${to} of ${n}`, printed: 'Filter the table to print the others.', none: 'No mandate matches.', line: (n) => `line ${n}: no reference`,
      noVendor: 'No reference', noStatus: 'Never read', noVerdict: 'No verdict', anyChange: 'Changed', anyCause: 'Not read',
      word: 'word:', filter: 'Filters',
      verdicts: { Allowed: 'Allowed', Refused: 'Refused', Undetermined: 'Undetermined', NotApplicable: 'Not applicable' },
      changeWords: {
        First: ['New', 'First reading of the mandate.'], 'Same status': ['Same state', 'The verdict or the client changed.'],
        Forward: ['Forward', 'The mandate moved on in the usual order.'],
        Reinstated: ['Reinstated', 'The mandate came back after it had ended. Acknowledge it before you use it.'],
        Regressed: ['Regressed', 'The mandate went back to an earlier state.'],
        Anomalous: ['Unexpected', 'Check the mandate by hand.'],
      },
      parties: { you: 'You', debtor: 'Debtor', checks: 'Client and vendor', time: 'You, or time', unknown: 'Not known', nobody: 'Nobody' },
      steps: {
        ReadAgain: 'read the mandate again', ResolveReasons: 'resolve the reasons', NotKnown: 'the vendor does not say',
        DebtorSigns: 'sign the mandate', AskDebtor: 'ask the debtor to sign', ClientAndVendorVerify: 'finish the checks',
        ActivateOrWait: 'activate, or wait', Use: 'ready to use', Replace: 'make a new mandate', ReadCause: 'read the cause',
        FindOut: 'find out why it is gone', ReadRawWord: 'read the word of the vendor',
      },
      facts: {
        signed_on: 'day of signature', signature_confirmed: 'confirmed signature', last_collection: 'last collection',
        revoked_by_debtor: 'revoked by the debtor', one_off_used: 'one-off used', notified_on: 'day of the notice',
      },
      reasons: {
        NotRead: 'Not read in this run', NotRequested: 'Not requested in this run', UnknownToVendor: 'The vendor does not know the mandate',
        NotActive: 'Not active: {s0}[ ({1})]', Unrecognized: 'State not recognized[ ({0})]',
        NotReadBack: 'Created, but not read since', BeforeStart: 'Before its start[, {t0}]', AfterEnd: 'After its end[, {t0}]',
        StartUnreadable: 'The start date cannot be read', EndUnreadable: 'The end date cannot be read',
        TooOld: 'The reading is too old[: {0} s]', ReadAhead: 'The reading is from the future: check the clocks[ ({t0})]',
        NotYetSigned: 'Not signed yet[: the day of signature is {d0}]', Dormant: 'Dormant: no collection for 36 months[, since {d0}]',
        OneOffUsed: 'One-off mandate, already used', RevokedByDebtor: 'Revoked by a message of the debtor to you',
        NotBusinessDay: 'TARGET is closed on the due date[, {d0}]', TooSoon: 'Too late to present for the due date[. The earliest is {d0}]',
        NotifiedTooLate: 'Debtor notified too late[. The earliest due date is {d0}]',
        Reinstated: 'Back after {s0}, not acknowledged',
        SignatureNotConfirmed: 'Signature not confirmed: the word for active may also mean an unsigned mandate',
        AccountNotActive: 'Client not active: {s0}[ ({1})]', AccountUnrecognized: 'State of the client not recognized[ ({0})]',
        AccountNotRead: 'The client could not be read', AccountDiffers: 'The mandate belongs to another client',
        Other: 'A reason that this version of mandat does not know', FactImpossible: 'Impossible fact: {f0}', FactsContradict: 'Facts contradict each other: {f0}, {f1}',
        FactMissing: 'Not known: {f0}',
      },
    },
    fr: {
      title: 'État des mandats', other: 'English', from: 'Fichier', made: 'Rapport du', newest: 'Dernière lecture',
      paris: 'Les heures sont celles de Paris.', noData: 'Aucun.', rows: (n) => `${n} mandats`, row: '1 mandat',
      total: 'Mandats', allowed: 'Utilisables', refused: 'Non utilisables', undetermined: 'Indéterminés',
      changed: 'Changés', notRead: 'Non lus',
      states: 'États par prestataire',
      statesNote: 'Un mandat non lu compte avec son dernier état connu.',
      changes: 'Changements depuis le dernier passage', now: 'À présent :', unchanged: 'Inchangés',
      acts: 'Qui doit agir',
      why: 'Mandats non utilisables, et pourquoi',
      whyNote: (n) => `Mandats avec un motif contre leur utilisation : ${n}. Un mandat compte pour chacun de ses motifs.`,
      reason: 'Motif', causes: 'Échecs par cause', cause: 'Cause', oldest: 'Lectures les plus anciennes',
      never: (n) => `Jamais lus : ${n}.`, all: 'Tous les mandats', reference: 'Référence', vendor: 'Prestataire', status: 'État',
      verdict: 'Verdict et motifs', verdictOnly: 'Verdict', step: 'Qui agit', change: 'Changement', since: 'Depuis', read: 'Lu',
      age: 'Âge', count: 'Nombre', search: 'Rechercher', searchHint: 'Référence, état, motif…', any: 'Tous',
      sortBy: 'Trier par', order: 'Ordre du fichier', ascending: 'croissant', descending: 'décroissant',
      perPage: 'Lignes par page', previous: 'Précédent', next: 'Suivant', clear: 'Effacer les filtres', remove: 'Retirer le filtre',
      range: (from, to, n) => `${from} à ${to} sur ${n}`, printed: 'Filtrez le tableau pour imprimer les autres.', none: 'Aucun mandat ne correspond.', line: (n) => `ligne ${n} : pas de référence`,
      noVendor: 'Sans référence', noStatus: 'Jamais lu', noVerdict: 'Sans verdict', anyChange: 'Changés', anyCause: 'Non lus',
      word: 'mot :', filter: 'Filtres',
      verdicts: { Allowed: 'Autorisé', Refused: 'Refusé', Undetermined: 'Indéterminé', NotApplicable: 'Sans objet' },
      changeWords: {
        First: ['Nouveau', 'Première lecture du mandat.'], 'Same status': ['Même état', 'Le verdict ou le client a changé.'],
        Forward: ['Avancé', 'Le mandat a progressé dans l’ordre habituel.'],
        Reinstated: ['Rétabli', 'Le mandat est revenu après sa fin. Prenez-en acte avant de l’utiliser.'],
        Regressed: ['Reculé', 'Le mandat est revenu à un état antérieur.'],
        Anomalous: ['Inattendu', 'Vérifiez le mandat vous-même.'],
      },
      parties: { you: 'Vous', debtor: 'Débiteur', checks: 'Client et prestataire', time: 'Vous, ou le temps', unknown: 'Non connu', nobody: 'Personne' },
      steps: {
        ReadAgain: 'relire le mandat', ResolveReasons: 'résoudre les motifs', NotKnown: 'le prestataire ne le dit pas',
        DebtorSigns: 'signer le mandat', AskDebtor: 'demander la signature', ClientAndVendorVerify: 'terminer les vérifications',
        ActivateOrWait: 'activer, ou attendre', Use: 'prêt à l’emploi', Replace: 'faire un nouveau mandat', ReadCause: 'lire la cause',
        FindOut: 'chercher pourquoi il a disparu', ReadRawWord: 'lire le mot du prestataire',
      },
      facts: {
        signed_on: 'jour de signature', signature_confirmed: 'signature confirmée', last_collection: 'dernier prélèvement',
        revoked_by_debtor: 'révoqué par le débiteur', one_off_used: 'mandat ponctuel utilisé', notified_on: 'jour du préavis',
      },
      reasons: {
        NotRead: 'Non lu lors de ce passage', NotRequested: 'Non demandé lors de ce passage', UnknownToVendor: 'Le prestataire ne connaît pas le mandat',
        NotActive: 'Non actif : {s0}[ ({1})]', Unrecognized: 'État non reconnu[ ({0})]',
        NotReadBack: 'Créé, mais pas relu depuis', BeforeStart: 'Avant son début[, {t0}]', AfterEnd: 'Après sa fin[, {t0}]',
        StartUnreadable: 'La date de début est illisible', EndUnreadable: 'La date de fin est illisible',
        TooOld: 'Lecture trop ancienne[ : {0} s]', ReadAhead: 'Lecture dans le futur : vérifiez les horloges[ ({t0})]',
        NotYetSigned: 'Pas encore signé[ : le jour de signature est le {d0}]', Dormant: 'Caduc : aucun prélèvement depuis 36 mois[, depuis le {d0}]',
        OneOffUsed: 'Mandat ponctuel déjà utilisé', RevokedByDebtor: 'Révoqué par un message du débiteur',
        NotBusinessDay: 'TARGET est fermé à l’échéance[, le {d0}]', TooSoon: 'Trop tard pour cette échéance[. La première possible est le {d0}]',
        NotifiedTooLate: 'Débiteur prévenu trop tard[. La première échéance est le {d0}]',
        Reinstated: 'Revenu après {s0}, sans prise d’acte',
        SignatureNotConfirmed: 'Signature non confirmée : le mot pour actif peut aussi désigner un mandat non signé',
        AccountNotActive: 'Client non actif : {s0}[ ({1})]', AccountUnrecognized: 'État du client non reconnu[ ({0})]',
        AccountNotRead: 'Le client n’a pas pu être lu', AccountDiffers: 'Le mandat appartient à un autre client',
        Other: 'Un motif que cette version de mandat ne connaît pas', FactImpossible: 'Fait impossible : {f0}', FactsContradict: 'Faits contradictoires : {f0}, {f1}',
        FactMissing: 'Non connu : {f0}',
      },
    },
  };
  const PARTY = {
    DebtorSigns: 'debtor', ClientAndVendorVerify: 'checks', ActivateOrWait: 'time', NotKnown: 'unknown', Use: 'nobody',
  };
  const party = (step) => PARTY[step] ?? 'you';
  const PARTIES = ['you', 'debtor', 'checks', 'time', 'unknown', 'nobody'];
  const PAGE_SIZES = [25, 50, 200, 1000];
  const OLDEST = 10;
  // These rows fill about 150 pages.
  const MOST_PRINTED = 2000;

  const data = JSON.parse(document.getElementById('data').textContent);
  const rows = data.rows;
  const length = rows.line.length;

  let language, words, number, instant, day;

  function speak(next) {
    language = next;
    words = WORDS[language];
    const locale = LOCALES[language];
    const zone = { timeZone: 'Europe/Paris' };
    number = new Intl.NumberFormat(locale);
    instant = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short', ...zone });
    day = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeZone: 'UTC' });
  }

  const show = (n) => number.format(n);
  const percent = (part, whole) => (whole ? Math.round((100 * part) / whole) : 0);
  const at = (seconds) => (seconds === null ? '' : instant.format((data.made + seconds) * 1000));

  // Formats a time or a day in a reason. A text that is none stays as it is.
  function dated(text, format) {
    const time = Date.parse(text);
    return Number.isNaN(time) ? text : format.format(time);
  }

  function age(seconds) {
    const locale = LOCALES[language];
    for (const [unit, size] of [['day', 86400], ['hour', 3600], ['minute', 60]]) {
      if (seconds >= size) return new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'long' }).format(Math.floor(seconds / size));
    }
    return new Intl.NumberFormat(locale, { style: 'unit', unit: 'second', unitDisplay: 'long' }).format(Math.max(0, seconds));
  }

  const own = (words, key) => (Object.hasOwn(words, key) ? words[key] : key);

  // Returns the text of a reason. `counted` leaves out the values that differ from mandate to mandate.
  function reasonText({ key, values }, counted) {
    const form = own(words.reasons, key).replace(/\[(.*?)\]/g, counted ? '' : '$1');
    return form.replace(/\{([sfdt]?)(\d)\}/g, (_, kind, place) => {
      const value = values[place] ?? '';
      switch (kind) {
        case 's': return own(STATUSES[language], value);
        case 'f': return own(words.facts, value);
        case 'd': return dated(value, day);
        case 't': return dated(value, instant);
        default: return value;
      }
    });
  }

  const label = {
    vendor: (n) => (n < 0 ? words.noVendor : data.vendors[n]),
    status: (n) => (n < 0 ? words.noStatus : STATUSES[language][data.statuses[n]]),
    verdict: (n) => (n < 0 ? words.noVerdict : words.verdicts[data.verdicts[n]]),
    change: (n) => (n < 0 ? '' : words.changeWords[data.changes[n]][0]),
    step: (n) => `${words.parties[party(data.steps[n])]}${words === WORDS.fr ? ' : ' : ': '}${words.steps[data.steps[n]]}`,
    cause: (n) => (n < 0 ? '' : data.causes[n]),
    group: (n) => reasonText(groups[n].example, true),
  };

  // Groups of reasons that differ only in their values. They do not depend on the language.
  const groups = [];
  const setGroups = [];
  const tally = (() => {
    speak('en');
    const named = new Map();
    const groupOf = data.reasons.map((reason) => {
      const text = reasonText(reason, true);
      if (!named.has(text)) {
        named.set(text, groups.length);
        groups.push({ example: reason, refused: 0, undetermined: 0 });
      }
      return named.get(text);
    });
    for (const set of data.sets) setGroups.push([...new Set(set.map((reason) => groupOf[reason]))]);

    const table = (size) => Array.from({ length: size + 1 }, () => new Array(data.statuses.length + 1).fill(0));
    const tally = {
      vendors: table(data.vendors.length), changes: table(data.changes.length), verdicts: new Array(data.verdicts.length + 1).fill(0),
      steps: new Array(data.steps.length).fill(0), causes: new Array(data.causes.length).fill(0),
      changed: 0, notRead: 0, against: 0, never: 0, newest: null, oldest: [],
    };
    const first = data.changes.indexOf('First');
    const [refused, undetermined] = ['Refused', 'Undetermined'].map((word) => data.verdicts.indexOf(word));
    for (let row = 0; row < length; row += 1) {
      const verdict = rows.verdict[row];
      const change = rows.change[row];
      const read = rows.read[row];
      tally.vendors[rows.vendor[row] + 1][rows.status[row] + 1] += 1;
      tally.changes[change + 1][rows.status[row] + 1] += 1;
      tally.verdicts[verdict + 1] += 1;
      tally.steps[rows.step[row]] += 1;
      if (rows.cause[row] >= 0) {
        tally.causes[rows.cause[row]] += 1;
        tally.notRead += 1;
      }
      if (change >= 0 && change !== first) tally.changed += 1;
      if ((verdict === refused || verdict === undetermined) && rows.set[row] >= 0) {
        tally.against += 1;
        for (const group of setGroups[rows.set[row]]) groups[group][verdict === refused ? 'refused' : 'undetermined'] += 1;
      }
      if (read === null) tally.never += 1;
      else {
        if (tally.newest === null || read > tally.newest) tally.newest = read;
        const { oldest } = tally;
        if (oldest.length < OLDEST || read < rows.read[oldest[oldest.length - 1]]) {
          let place = oldest.length;
          while (place > 0 && rows.read[oldest[place - 1]] > read) place -= 1;
          oldest.splice(place, 0, row);
          oldest.length = Math.min(oldest.length, OLDEST);
        }
      }
    }
    return tally;
  })();

  // The state of the table. A filter is a number, or `any` for each value that has one.
  const view = { q: '', filters: {}, sort: 'line', down: false, page: 0, size: 50, found: [], printing: false };
  const CHIPS = ['change', 'step', 'party', 'group', 'cause'];

  function only(filters) {
    view.q = '';
    view.filters = filters;
    view.page = 0;
    search();
    const heading = document.getElementById('all');
    heading.scrollIntoView({ block: 'start' });
    heading.focus({ preventScroll: true });
  }

  let lower;
  function matches() {
    const { filters } = view;
    const tests = [];
    const first = data.changes.indexOf('First');
    for (const column of ['vendor', 'status', 'verdict', 'step']) {
      if (column in filters) tests.push((row) => rows[column][row] === filters[column]);
    }
    for (const column of ['change', 'cause']) {
      if (!(column in filters)) continue;
      const wanted = filters[column];
      if (wanted !== 'any') tests.push((row) => rows[column][row] === wanted);
      else tests.push((row) => rows[column][row] >= 0 && (column !== 'change' || rows.change[row] !== first));
    }
    if ('party' in filters) {
      const wanted = data.steps.map((step) => party(step) === filters.party);
      tests.push((row) => wanted[rows.step[row]]);
    }
    if ('group' in filters) {
      const wanted = setGroups.map((set) => set.includes(filters.group));
      const against = data.verdicts.map((verdict) => verdict === 'Refused' || verdict === 'Undetermined');
      tests.push((row) => wanted[rows.set[row]] && against[rows.verdict[row]]);
    }
    const q = view.q.trim().toLowerCase();
    if (q) {
      lower ??= rows.reference.map((reference) => reference.toLowerCase());
      const hit = (text) => String(text).toLowerCase().includes(q);
      const hits = {};
      for (const [column, list] of [['vendor', data.vendors], ['status', data.statuses], ['verdict', data.verdicts], ['change', data.changes], ['step', data.steps], ['cause', data.causes]]) {
        hits[column] = list.map((_, n) => hit(label[column](n)));
      }
      hits.raw = data.raws.map(hit);
      const reasons = data.reasons.map((reason) => hit(reasonText(reason)));
      hits.set = data.sets.map((set) => set.some((reason) => reasons[reason]));
      const columns = Object.entries(hits).filter(([, list]) => list.includes(true));
      tests.push((row) => lower[row].includes(q) || columns.some(([column, list]) => list[rows[column][row]]));
    }
    const found = [];
    for (let row = 0; row < length; row += 1) if (tests.every((test) => test(row))) found.push(row);
    return found;
  }

  // The values by which a column is sorted: texts, or numbers with none at the end.
  const order = {
    reference: (row) => rows.reference[row],
    vendor: (row) => label.vendor(rows.vendor[row]),
    status: (row) => label.status(rows.status[row]),
    verdict: (row) => label.verdict(rows.verdict[row]),
    step: (row) => label.step(rows.step[row]),
    change: (row) => label.change(rows.change[row]) || '\uffff',
    since: (row) => rows.since[row] ?? Infinity,
    read: (row) => rows.read[row] ?? Infinity,
  };

  function search() {
    view.found = matches();
    if (view.sort !== 'line') {
      const keys = new Array(length);
      for (const row of view.found) keys[row] = order[view.sort](row);
      const side = view.down ? -1 : 1;
      view.found.sort((a, b) => (keys[a] < keys[b] ? -side : keys[a] > keys[b] ? side : a - b));
    } else if (view.down) view.found.reverse();
    const last = Math.max(0, Math.ceil(view.found.length / view.size) - 1);
    view.page = Math.min(view.page, last);
    drawTable();
  }

  function sortBy(column, down) {
    view.down = down ?? (view.sort === column ? !view.down : false);
    view.sort = column;
    view.page = 0;
    search();
  }

  // Parts of the page.

  const badge = (status) => h('span', { class: 'badge', 'data-status': status < 0 ? 'none' : data.statuses[status] }, label.status(status));

  function bar(part, whole, attributes) {
    const fill = h('span', { class: 'fill', ...attributes });
    fill.style.width = `${whole ? (100 * part) / whole : 0}%`;
    return h('span', { class: 'bar', 'aria-hidden': 'true' }, fill);
  }

  function tile(text, count, kind, filters) {
    return h('li', null, h('button', { type: 'button', class: `tile ${kind}`, click: () => only(filters) },
      h('span', { class: 'figure' }, show(count)), h('span', { class: 'name' }, text)));
  }

  function tiles() {
    const verdict = (word) => data.verdicts.indexOf(word);
    const count = (word) => tally.verdicts[verdict(word) + 1];
    return h('ul', { class: 'tiles' },
      tile(words.total, length, 'all', {}),
      tile(words.allowed, count('Allowed'), 'good', { verdict: verdict('Allowed') }),
      tile(words.refused, count('Refused'), 'bad', { verdict: verdict('Refused') }),
      tile(words.undetermined, count('Undetermined'), 'doubt', { verdict: verdict('Undetermined') }),
      tile(words.changed, tally.changed, 'news', { change: 'any' }),
      tile(words.notRead, tally.notRead, 'bad', { cause: 'any' }));
  }

  // A line with a number and a bar. Its button shows the mandates in the table.
  function line(name, count, whole, filters, attributes, note) {
    return h('li', null, h('button', { type: 'button', class: 'line', click: () => only(filters) },
      h('span', { class: 'name' }, name),
      h('span', { class: 'number' }, show(count), ' ', h('small', null, `${percent(count, whole)} %`)),
      bar(count, whole, attributes)), note ? h('p', { class: 'note' }, note) : null);
  }

  function section(id, title, ...content) {
    return h('section', { 'aria-labelledby': id, class: id }, h('h2', { id, tabindex: '-1' }, title), content);
  }

  function states() {
    // The rows without a reference come last.
    const cards = [...data.vendors.keys(), -1].map((vendor) => {
      const counts = tally.vendors[vendor + 1];
      const total = counts.reduce((sum, count) => sum + count, 0);
      if (!total) return null;
      const present = counts.map((count, n) => [n - 1, count]).filter(([, count]) => count).sort((a, b) => b[1] - a[1]);
      const stack = h('div', { class: 'stack', 'aria-hidden': 'true' }, present.map(([status, count]) => {
        const part = h('span', { 'data-status': status < 0 ? 'none' : data.statuses[status] });
        part.style.flexGrow = count;
        return part;
      }));
      return h('article', { class: 'card' },
        h('h3', null, label.vendor(vendor), h('small', null, total === 1 ? words.row : words.rows(show(total)))), stack,
        h('ul', { class: 'lines' }, present.map(([status, count]) =>
          line(label.status(status), count, total, { vendor, status }, { 'data-status': status < 0 ? 'none' : data.statuses[status] }))));
    });
    return section('states', words.states, h('div', { class: 'cards' }, cards), h('p', { class: 'note' }, words.statesNote));
  }

  function changes() {
    const total = (counts) => counts.reduce((sum, count) => sum + count, 0);
    const lines = ['Reinstated', 'Anomalous', 'Regressed', 'Forward', 'Same status', 'First'].map((change) => {
      const place = data.changes.indexOf(change);
      const counts = tally.changes[place + 1];
      if (!total(counts)) return null;
      const present = counts.map((count, n) => [n - 1, count]).filter(([, count]) => count).sort((a, b) => b[1] - a[1]);
      const now = present.map(([status, count]) => `${label.status(status)} ${show(count)}`).join(', ');
      const [name, meaning] = words.changeWords[change];
      return line(name, total(counts), length, { change: place }, { 'data-change': change }, `${meaning} ${words.now} ${now}.`);
    });
    return section('changes', words.changes, h('ul', { class: 'lines' }, lines,
      line(words.unchanged, total(tally.changes[0]), length, { change: -1 }, { 'data-change': 'none' })));
  }

  function acts() {
    const lines = PARTIES.map((who) => {
      const steps = data.steps.map((step, n) => [step, tally.steps[n]]).filter(([step, count]) => count && party(step) === who);
      const total = steps.reduce((sum, [, count]) => sum + count, 0);
      if (!total) return null;
      steps.sort((a, b) => b[1] - a[1]);
      return line(words.parties[who], total, length, { party: who }, { 'data-party': who },
        h('span', { class: 'steps' }, steps.map(([step, count]) => h('button', {
          type: 'button', class: 'link', click: () => only({ step: data.steps.indexOf(step) }),
        }, `${words.steps[step]} (${show(count)})`))));
    });
    return section('acts', words.acts, h('ul', { class: 'lines' }, lines));
  }

  // A small table: the first cell of a row is a button that shows the mandates.
  function small(heads, body) {
    if (!body.length) return h('p', { class: 'note' }, words.noData);
    return h('table', { class: 'small' },
      h('thead', null, h('tr', null, heads.map((head, n) => h('th', { scope: 'col', class: n ? 'right' : null }, head)))),
      h('tbody', null, body));
  }

  function why() {
    const used = groups.map((group, n) => [group, n]).filter(([group]) => group.refused + group.undetermined);
    used.sort(([a], [b]) => b.refused + b.undetermined - a.refused - a.undetermined);
    const body = used.map(([group, n]) => h('tr', null,
      h('th', { scope: 'row' }, h('button', { type: 'button', class: 'link', click: () => only({ group: n }) }, label.group(n)),
        h('span', { class: 'bar two', 'aria-hidden': 'true' }, ['refused', 'undetermined'].filter((kind) => group[kind]).map((kind) => {
          const fill = h('span', { class: `fill ${kind}` });
          fill.style.width = `${tally.against ? (100 * group[kind]) / tally.against : 0}%`;
          return fill;
        }))),
      [group.refused, group.undetermined].map((count) => h('td', { class: 'right' }, count ? show(count) : '–'))));
    return section('why', words.why, h('p', { class: 'note' }, words.whyNote(show(tally.against))),
      small([words.reason, words.verdicts.Refused, words.verdicts.Undetermined], body));
  }

  function causes() {
    const used = tally.causes.map((count, n) => [count, n]).sort((a, b) => b[0] - a[0]);
    const body = used.map(([count, n]) => h('tr', null,
      h('th', { scope: 'row', lang: 'en' }, h('button', { type: 'button', class: 'link', click: () => only({ cause: n }) }, label.cause(n)),
        bar(count, tally.notRead, { class: 'fill refused' })),
      h('td', { class: 'right' }, show(count))));
    return section('causes', words.causes, small([words.cause, words.count], body));
  }

  function oldest() {
    const body = tally.oldest.map((row) => h('tr', null,
      h('th', { scope: 'row' }, reference(row)), h('td', { class: 'right' }, at(rows.read[row])),
      h('td', { class: 'right' }, age(-rows.read[row]))));
    return section('oldest', words.oldest, small([words.reference, words.read, words.age], body),
      tally.never ? h('p', { class: 'note' }, words.never(show(tally.never))) : null);
  }

  const reference = (row) => (rows.reference[row] ? h('span', { class: 'reference' }, rows.reference[row]) : h('em', null, words.line(show(rows.line[row]))));

  const COLUMNS = ['reference', 'status', 'verdict', 'step', 'change', 'since', 'read'];

  function cells(row) {
    const verdict = rows.verdict[row];
    const [change, set, cause, raw] = [rows.change[row], rows.set[row], rows.cause[row], rows.raw[row]];
    return {
      reference: [reference(row), h('small', null, label.vendor(rows.vendor[row]))],
      status: [badge(rows.status[row]), raw < 0 ? null : h('small', null, `${words.word} ${data.raws[raw]}`)],
      verdict: [h('span', { class: 'verdict', 'data-verdict': data.verdicts[verdict] ?? 'none' }, label.verdict(verdict)),
        set < 0 ? null : h('ul', { class: 'reasons' }, data.sets[set].map((reason) => h('li', null, reasonText(data.reasons[reason])))),
        cause < 0 ? null : h('p', { class: 'error', lang: 'en' }, data.causes[cause])],
      step: [label.step(rows.step[row])],
      change: [label.change(change)],
      since: [at(rows.since[row])],
      read: [at(rows.read[row])],
    };
  }

  const field = (id, text, control, kind) => h('div', { class: kind }, h('label', { for: id }, text), control);

  let parts;

  function table() {
    const choice = (id, text, list, column) => {
      const select = h('select', { id, change: () => {
        if (select.value === '') delete view.filters[column];
        else view.filters[column] = Number(select.value);
        view.page = 0;
        search();
      } }, h('option', { value: '' }, words.any), list.map((n) => h('option', { value: n }, label[column](n))));
      return [select, field(id, text, select)];
    };
    const present = (column, size) => [...Array(size).keys(), -1].filter((n) => n >= 0 || rows[column].includes(-1));
    const [vendor, vendorField] = choice('vendor', words.vendor, present('vendor', data.vendors.length), 'vendor');
    const [status, statusField] = choice('status', words.status, present('status', data.statuses.length), 'status');
    const [verdict, verdictField] = choice('verdict', words.verdictOnly, present('verdict', data.verdicts.length), 'verdict');
    let timer;
    const input = h('input', { id: 'search', type: 'search', placeholder: words.searchHint, autocomplete: 'off', spellcheck: 'false', input: () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        view.q = input.value;
        view.page = 0;
        search();
      }, 120);
    } });
    const sort = h('select', { id: 'sort', change: () => sortBy(...sort.value.split(' ').map((part, n) => (n ? part === 'down' : part))) },
      [['line', words.order], ...COLUMNS.map((column) => [column, words[column]])].flatMap(([column, text]) =>
        [['up', words.ascending], ['down', words.descending]].slice(0, column === 'line' ? 1 : 2).map(([side, name]) =>
          h('option', { value: `${column} ${side}` }, column === 'line' ? text : `${text}, ${name}`))));
    const size = h('select', { id: 'size', change: () => {
      view.size = Number(size.value);
      view.page = 0;
      search();
    } }, PAGE_SIZES.map((n) => h('option', { value: n }, show(n))));
    const turn = (by) => () => {
      view.page += by;
      search();
      document.getElementById('all').scrollIntoView({ block: 'start' });
    };
    const heads = COLUMNS.map((column) => h('th', { scope: 'col', role: 'columnheader', 'data-column': column },
      h('button', { type: 'button', click: () => sortBy(column) }, words[column])));
    parts = {
      vendor, status, verdict, input, sort, size, heads,
      chips: h('div', { class: 'chips' }), body: h('tbody', { role: 'rowgroup' }), range: h('p', { role: 'status', class: 'range' }),
      previous: h('button', { type: 'button', click: turn(-1) }, words.previous),
      next: h('button', { type: 'button', click: turn(1) }, words.next),
    };
    return section('all', words.all,
      h('search', { class: 'controls', 'aria-label': words.filter },
        field('search', words.search, input, 'wide'), vendorField, statusField, verdictField,
        field('sort', words.sortBy, sort, 'sort'), field('size', words.perPage, size)),
      parts.chips, parts.range,
      h('table', { class: 'mandates', role: 'table', 'aria-labelledby': 'all' },
        h('thead', { role: 'rowgroup' }, h('tr', { role: 'row' }, heads)), parts.body),
      h('nav', { class: 'pages', 'aria-label': words.all }, parts.previous, parts.next));
  }

  function drawTable() {
    const { found, page, size, sort, down, filters, printing } = view;
    const from = printing ? 0 : page * size;
    const shown = found.slice(from, from + (printing ? MOST_PRINTED : size));
    parts.body.replaceChildren(...shown.map((row) => {
      const content = cells(row);
      return h('tr', { role: 'row' }, COLUMNS.map((column, n) =>
        h(n ? 'td' : 'th', { role: n ? 'cell' : 'rowheader', scope: n ? null : 'row', class: `of-${column}` },
          h('span', { class: 'head', 'aria-hidden': 'true' }, words[column]), h('div', null, content[column]))));
    }));
    parts.range.textContent = found.length ? words.range(show(from + 1), show(from + shown.length), show(found.length)) : words.none;
    if (printing && found.length > shown.length) parts.range.append(` ${words.printed}`);
    parts.previous.disabled = page === 0;
    parts.next.disabled = from + size >= found.length;
    for (const head of parts.heads) {
      const sorted = head.dataset.column === sort;
      if (sorted) head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
      else head.removeAttribute('aria-sort');
    }
    if (parts.input.value !== view.q) parts.input.value = view.q;
    for (const column of ['vendor', 'status', 'verdict']) parts[column].value = filters[column] ?? '';
    parts.sort.value = `${sort} ${down ? 'down' : 'up'}`;
    parts.size.value = size;
    const names = {
      change: (n) => (n === 'any' ? words.anyChange : n < 0 ? words.unchanged : label.change(n)), step: label.step,
      party: (who) => `${words.acts}${language === 'fr' ? ' : ' : ': '}${words.parties[who]}`, group: label.group,
      cause: (n) => (n === 'any' ? words.anyCause : label.cause(n)),
    };
    const chips = CHIPS.filter((column) => column in filters).map((column) => {
      const name = names[column](filters[column]);
      return h('button', { type: 'button', class: 'chip', 'aria-label': `${words.remove} ${name}`, click: () => {
        delete filters[column];
        search();
        parts.input.focus();
      } }, name, h('span', { 'aria-hidden': 'true' }, ' ×'));
    });
    const filtered = view.q || Object.keys(filters).length;
    parts.chips.replaceChildren(...chips, ...(filtered ? [h('button', { type: 'button', class: 'link', click: () => {
      view.q = '';
      view.filters = {};
      search();
      parts.input.focus();
    } }, words.clear)] : []));
  }

  function draw() {
    document.documentElement.lang = language;
    document.title = data.file ? `${words.title} – ${data.file}` : words.title;
    const next = language === 'fr' ? 'en' : 'fr';
    const toggle = h('button', { type: 'button', class: 'language', lang: next, click: () => {
      speak(next);
      draw();
      document.querySelector('.language').focus();
    } }, words.other);
    const facts = [
      data.file ? [words.from, data.file] : null,
      [words.made, at(0)],
      tally.newest === null ? null : [words.newest, at(tally.newest)],
    ].filter(Boolean);
    const old = document.querySelectorAll('body > header, body > main, body > footer');
    for (const element of old) element.remove();
    document.body.append(
      h('header', null, h('div', null, h('h1', null, words.title),
        h('dl', null, facts.map(([name, value]) => h('div', null, h('dt', null, name), h('dd', null, value))))), toggle),
      h('main', null, tiles(), states(), h('div', { class: 'pair' }, changes(), acts()), why(),
        h('div', { class: 'pair' }, causes(), oldest()), table()),
      h('footer', null, words.paris));
    search();
  }

  // A print has all rows that the filters leave, and not only those on the screen.
  for (const [event, printing] of [['beforeprint', true], ['afterprint', false]]) {
    window.addEventListener(event, () => {
      view.printing = printing;
      drawTable();
    });
  }

  speak(data.language ?? navigator.languages?.map((tag) => tag.slice(0, 2)).find((tag) => tag in WORDS) ?? 'fr');
  draw();
  document.documentElement.dataset.ready = Math.round(performance.now());
})();
