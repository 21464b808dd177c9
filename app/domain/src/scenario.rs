//! Scenarios: scripted rollouts in text and their printed timelines.
