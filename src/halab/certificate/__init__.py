"""What the learner has done, and the certificate: checklist, evidence, record, page, verification."""
