SELECT COUNT(*) FROM visits WHERE region = 'nörd‮' OR "region" = ''''
