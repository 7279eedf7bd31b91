"""What only the course needs: making it ready, running its notebooks, leaving readable pages."""
