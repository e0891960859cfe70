"""The disclosure bundle: what it holds, how it is written, and how a stranger checks it (docs/spec/bundle.md)."""
