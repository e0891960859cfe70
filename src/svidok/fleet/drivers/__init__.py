"""How we speak to cameras besides their pictures."""
