"""cxcausal: what is human contact worth?"""
