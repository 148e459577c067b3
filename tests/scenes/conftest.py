"""Who is on stage when the curtain rises: the same as in every plugin's tests."""

from imserver.testing.fixtures import ana, luis, stage

__all__ = ["ana", "luis", "stage"]
