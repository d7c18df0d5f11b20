"""Reading texts: their plain form, words and paragraphs, with exact character offsets."""
