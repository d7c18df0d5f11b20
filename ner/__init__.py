"""Named entities in text: a BERT token classifier with the 15 entity types of MultiNERD."""
