"""From a text and class probabilities to a verdict: taxonomy, claims, decision. No torch here."""
