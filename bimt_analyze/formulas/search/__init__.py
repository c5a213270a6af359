"""The search itself: candidates, the stages that propose them, and the questions that are asked."""
