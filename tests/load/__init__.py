"""Programs that measure a site under load: waits with many annotators, fairness between projects, and memory."""
