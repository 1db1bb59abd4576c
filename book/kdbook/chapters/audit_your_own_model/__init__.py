"""Audit your own model: small networks of the chapter's own, trained, audited and mended."""

from kdbook.chapters.audit_your_own_model import charts, findings
from kdbook.chapters.audit_your_own_model.bench import Bench, Settings, pixels

__all__ = ["Bench", "Settings", "charts", "findings", "pixels"]
