export const watch = {
  "error.bundles-not-set-up": "This machine makes no bundles: its ledger and keys are elsewhere. Ask an administrator.",
};
