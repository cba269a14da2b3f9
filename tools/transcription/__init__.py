"""Words and their times: subtitles."""
