"""What every floor needs: atomic files, errors that help, quiet libraries, printed tables."""
