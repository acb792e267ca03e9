// SPDX-License-Identifier: Apache-2.0
// Signs from several threads with a key in the token, and verifies each signature outside it.

import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.Provider;
import java.security.PublicKey;
import java.security.Security;
import java.security.Signature;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

class Sign {
    public static void main(String[] arguments) throws Exception {
        Provider provider = Security.getProvider("SunPKCS11").configure(arguments[0]);
        Security.addProvider(provider);
        KeyStore store = KeyStore.getInstance("PKCS11", provider);
        store.load(null, arguments[1].toCharArray());
        PrivateKey key = (PrivateKey) store.getKey("java", null);
        PublicKey known = store.getCertificate("java").getPublicKey();
        int threads = Integer.parseInt(arguments[2]), each = Integer.parseInt(arguments[3]);
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        List<Future<Integer>> results = new ArrayList<>();
        for (int thread = 0; thread < threads; thread++) {
            results.add(pool.submit((Callable<Integer>) () -> {
                int good = 0;
                for (int i = 0; i < each; i++) {
                    byte[] data = ("message " + i).getBytes();
                    Signature signer = Signature.getInstance("SHA256withECDSA", provider);
                    signer.initSign(key);
                    signer.update(data);
                    byte[] signature = signer.sign();
                    Signature verifier = Signature.getInstance("SHA256withECDSA", "SunEC");
                    verifier.initVerify(known);
                    verifier.update(data);
                    good += verifier.verify(signature) ? 1 : 0;
                }
                return good;
            }));
        }
        int good = 0;
        for (Future<Integer> result : results) {
            good += result.get();
        }
        pool.shutdown();
        System.out.println("good=" + good);
    }
}
