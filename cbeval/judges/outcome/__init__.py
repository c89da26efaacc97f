"""The embedded outcome classifier: complied, partial, refused or broken, without any judge model."""

from cbeval.judges.outcome.classifier import OutcomeJudge

__all__ = ["OutcomeJudge"]
