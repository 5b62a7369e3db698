"""Come here when a kind of transcript file is read wrongly, or a new kind is to be read.

bytes ─▶ encodings (text) ─▶ cues | texts (utterances) ─▶ turns (speakers, and turns of one speaker each)
"""
