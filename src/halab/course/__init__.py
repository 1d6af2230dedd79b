"""What the course is (catalogue, cards, paths), and the learner: identity, copies, predictions."""
