"""The verbs: submit, append, control, claim, watch."""
