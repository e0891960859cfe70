export const watch = {
  "error.bundles-not-set-up": "This machine makes no bundles: its ledger and keys are elsewhere. Ask an administrator.",
  "playback.exportCancelled": "The export was cancelled. An incomplete file can be deleted.",
  "playback.exportStopped": "The download broke off. The browser can go on where it stopped.",
  "playback.exportSent": "{done} of {total}. The browser itself writes the file to disk.",
  "playback.exportProof": "Save the proof again",
  "error.ticket-over": "This link is not valid any more. Begin the export anew.",
  "error.ticket-used": "This link was used already. Begin the export anew.",
  "error.exports-many": "Too many exports at once. Wait for some to end.",
  "nav.more": "More",
};
